import { PlimsollError } from '../../router/errors.ts';

/** The name that Plimsoll knows -> the name that the data use. */
export type ColumnMap = ReadonlyMap<string, string>;

/**
 * Reads `prompt=question,small.quality=gpt-4o-mini`. A comma that no `name=` follows belongs to the column's name.
 * @throws PlimsollError 'invalid-input': a part that is no `name=column`, or a name twice
 */
export function parseColumnMap(text: string): ColumnMap {
  const map = new Map<string, string>();
  const parts: string[] = [];
  for (const part of text.split(',')) {
    if (part.includes('=') || parts.length === 0) parts.push(part);
    else parts[parts.length - 1] += `,${part}`;
  }
  for (const part of parts) {
    const at = part.indexOf('=');
    const [name, column] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    if (at === -1 || name === '' || column === '') {
      throw mapError(`${JSON.stringify(part)} is not name=column`);
    }
    if (map.has(name)) throw mapError(`${name} is given twice`);
    map.set(name, column);
  }
  return map;
}

export function mapError(what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `--map: ${what}. Give what Plimsoll knows, then what the data have: --map prompt=question,small.quality=gpt-4o-mini.`,
  );
}
