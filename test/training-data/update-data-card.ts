import { readFileSync, writeFileSync } from 'node:fs';
import { DATA_CARD, withCounts } from './data-card.ts';

// Run after the everyday cases have changed: npx tsx test/training-data/update-data-card.ts
writeFileSync(DATA_CARD, withCounts(readFileSync(DATA_CARD, 'utf8')));
