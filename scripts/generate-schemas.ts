import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { suiteSchema } from '../evals/gate/index.ts';
import { decisionsVerdictSchema, verdictSchema } from '../router/artifact/index.ts';
import { configSchema } from '../router/config/index.ts';
import { replaceFile } from '../router/files/index.ts';
import { evidenceSchema } from '../router/verdict-report/index.ts';

export const CONFIG_SCHEMA_FILE = fileURLToPath(new URL('../plimsoll.config.schema.json', import.meta.url));
export const SUITE_SCHEMA_FILE = fileURLToPath(new URL('../evals/suites/suite.schema.json', import.meta.url));
export const VERDICT_SCHEMA_FILE = fileURLToPath(
  new URL('../evals/gate/verdict.schema.json', import.meta.url),
);
export const DECISIONS_VERDICT_SCHEMA_FILE = fileURLToPath(
  new URL('../evals/gate/decisions-verdict.schema.json', import.meta.url),
);

/** `plimsoll.config.schema.json`: what an editor needs to check and complete plimsoll.config.yaml. */
export function configSchemaJson(): string {
  return toJson(
    'plimsoll.config.yaml',
    z.toJSONSchema(configSchema, { io: 'input', override: defaultFirst }),
  );
}

/** zod writes the default of what it transforms behind the description, and all others before it. */
function defaultFirst({ jsonSchema }: { readonly jsonSchema: Record<string, unknown> }): void {
  if (!('default' in jsonSchema) || !('description' in jsonSchema)) return;
  const { default: _, ...others } = jsonSchema;
  for (const name of Object.keys(others)) {
    delete jsonSchema[name];
    jsonSchema[name] = others[name];
  }
}

/** `suite.schema.json`: the same for a suite of the gate. What two fields say about each other (`min` below `max`) only the gate checks. */
export function suiteSchemaJson(): string {
  const schema = z.toJSONSchema(suiteSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) === 'where') jsonSchema.minProperties = 1; // a refinement in zod, which JSON Schema cannot express
    },
  });
  return toJson('Suite of the Plimsoll gate', schema);
}

/** `verdict.schema.json`: for whoever reads a verdict.json. Its evidence is that which the gate of this version writes. */
export function verdictSchemaJson(): string {
  const whole = verdictSchema.extend({ evidence: evidenceSchema });
  return toJson('verdict.json of the Plimsoll gate', z.toJSONSchema(whole));
}

/** `decisions-verdict.schema.json`: the same of a verdict on decisions that were made elsewhere. */
export function decisionsVerdictSchemaJson(): string {
  const whole = decisionsVerdictSchema.extend({ evidence: evidenceSchema });
  return toJson('Verdict of the Plimsoll gate on decisions', z.toJSONSchema(whole));
}

function toJson(title: string, schema: object): string {
  return `${JSON.stringify({ ...schema, title }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = {
    [CONFIG_SCHEMA_FILE]: configSchemaJson(),
    [SUITE_SCHEMA_FILE]: suiteSchemaJson(),
    [VERDICT_SCHEMA_FILE]: verdictSchemaJson(),
    [DECISIONS_VERDICT_SCHEMA_FILE]: decisionsVerdictSchemaJson(),
  };
  for (const [file, text] of Object.entries(files)) {
    replaceFile(file, text);
    process.stderr.write(`wrote ${file}\n`);
  }
}
