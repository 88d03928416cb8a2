import path from 'node:path';
import { sha256OfJson } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { readYaml, YamlFault, type YamlFile } from '../../router/yaml-file.ts';
import { fileError } from '../cases/index.ts';
import { type Suite, suiteSchema } from './suite.ts';

/** A suite as it was read. */
export interface LoadedSuite {
  readonly suite: Suite;
  readonly file: string;
  /** Of what the suite says, defaults included; not of its comments. */
  readonly sha256: string;
  /** A file that the suite names, from the suite's own place. */
  resolve(file: string): string;
}

/** @throws PlimsollError `not-found` or `io`: the file; `invalid-config`: not YAML, empty, an unknown key or a value out of range, with the line */
export function loadSuite(file: string): LoadedSuite {
  const yaml = suiteYaml(file);
  const raw = yaml.value;
  if (raw === null) {
    throw suiteError(
      file,
      undefined,
      undefined,
      'it is empty: it demands nothing. Give at least name and max_quality_loss',
    );
  }
  const parsed = suiteSchema.safeParse(raw);
  if (!parsed.success) {
    const { issues } = parsed.error;
    // a name with a slip in it is the cause, and the field that is then missing only its effect
    const { path: place, message } = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
    throw suiteError(file, yaml.lineOf(place), place.join('.') || '(top level)', message);
  }
  const folder = path.dirname(path.resolve(file));
  return {
    suite: Object.freeze(parsed.data),
    file,
    sha256: sha256OfJson(parsed.data),
    resolve: (name) => path.resolve(folder, name),
  };
}

function suiteYaml(file: string): YamlFile {
  try {
    return readYaml(file);
  } catch (cause) {
    throw cause instanceof YamlFault
      ? suiteError(file, cause.line, undefined, cause.message)
      : fileError(file, cause);
  }
}

function suiteError(
  file: string,
  line: number | undefined,
  field: string | undefined,
  reason: string,
): PlimsollError {
  const where = [
    file,
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(field === undefined ? [] : [`field "${field}"`]),
  ];
  return new PlimsollError('invalid-config', `The suite ${where.join(', ')}: ${reason}.`, {
    place: { file, ...(line !== undefined && { line }), ...(field !== undefined && { field }) },
  });
}
