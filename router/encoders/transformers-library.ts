import os from 'node:os';
import path from 'node:path';
import type * as Library from '@xenova/transformers';
import { PlimsollError } from '../errors.ts';
import { requireTelemetryDisabled } from '../onnx/index.ts';
import type { TransformersSpec } from './encoder-spec.ts';
import { isFolder } from './hugging-face-folder.ts';

export type TransformersLibrary = typeof Library;

/** The package is optional, and heavy: it is loaded where an encoder asks for it and nowhere else. */
export async function importTransformers(): Promise<TransformersLibrary> {
  requireTelemetryDisabled();
  try {
    return await import('@xenova/transformers');
  } catch (cause) {
    throw new PlimsollError(
      'weights-missing',
      'The package @xenova/transformers is not installed, and a transformers encoder needs it: npm install @xenova/transformers@npm:@huggingface/transformers@4.3.1',
      { cause },
    );
  }
}

export interface ModelPlace {
  /** What transformers.js is asked for: a folder's full path or the hub's `owner/name`. */
  readonly source: string;
  /** Where the files are, for the hub once they have been downloaded. */
  readonly folder: string;
  readonly local: boolean;
}

/**
 * Sets where transformers.js may look: in one folder, or on the hub and in the cache of what came from there.
 * @throws PlimsollError `weights-missing` where the model is no folder and the hub was not allowed.
 */
export function locateModel(env: TransformersLibrary['env'], spec: TransformersSpec): ModelPlace {
  const { model, allowHub = false, cacheFolder = defaultCacheFolder(), hubUrl } = spec;
  const folder = path.resolve(model);
  const local = isFolder(folder);
  if (!local && !allowHub) {
    throw new PlimsollError(
      'weights-missing',
      `There is no folder ${folder}. If ${model} is a model on the Hugging Face hub, allow its download: --allow-hub, or encoder.allow_hub in the configuration.`,
    );
  }
  env.logLevel = 40; // errors only: the rest is advice for the author of a model
  env.allowLocalModels = local;
  env.allowRemoteModels = !local;
  env.useFSCache = !local;
  env.cacheDir = path.resolve(cacheFolder);
  if (hubUrl !== undefined) env.remoteHost = hubUrl;
  return local
    ? { source: folder, folder, local }
    : { source: model, folder: path.join(env.cacheDir, model), local };
}

function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return path.join(base, 'plimsoll', 'models');
}
