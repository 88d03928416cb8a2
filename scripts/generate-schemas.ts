import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../router/config.ts';

export const CONFIG_SCHEMA_FILE = fileURLToPath(new URL('../plimsoll.config.schema.json', import.meta.url));

/** `plimsoll.config.schema.json`: what an editor needs to check and complete plimsoll.config.yaml. */
export function configSchemaJson(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'plimsoll.config.yaml' }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(CONFIG_SCHEMA_FILE, configSchemaJson());
  process.stderr.write(`wrote ${CONFIG_SCHEMA_FILE}\n`);
}
