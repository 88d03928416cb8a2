import 'plimsoll/vitest';
import { expect, test } from 'vitest';

test('the artifact passes its gate', async () => {
  await expect('models/mine').toPassGate('suite.yaml', { data: ['labelled.jsonl'] });
});
