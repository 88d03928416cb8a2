import type { GoogleAuth } from 'google-auth-library';
import { createKeyReader, type Provider, type ProviderKey } from '../catalog/index.ts';
import { resultWithin } from '../result-within.ts';

/** The key or token of a provider; a promise if it has to be fetched. Never rejects. */
export type ReadCredential = (provider: Provider) => ProviderKey | Promise<ProviderKey>;

/** @param env holds the keys */
export function createCredentials(env: NodeJS.ProcessEnv): ReadCredential {
  const keyOf = createKeyReader(env);
  return (provider) => (usesGoogleAuth(provider) ? googleToken(provider) : keyOf(provider));
}

/** On Vertex without a file of tokens. */
function usesGoogleAuth({ platform, tokenFile }: Provider): boolean {
  return platform === 'vertex' && tokenFile === undefined;
}

const PROJECT = /\/projects\/([^/]+)/;
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** The library asks the metadata server of a machine, which most machines do not have. */
const TOKEN_WITHIN_MS = 10_000;
/** How long a failure is remembered: a search for credentials takes seconds. */
const FAILED_FOR_MS = 10_000;

let auth: Promise<GoogleAuth> | undefined;
let failed: { readonly key: ProviderKey; readonly untilMs: number } | undefined;

/**
 * From Google's Application Default Credentials: the file of a service account or of a workload identity in GOOGLE_APPLICATION_CREDENTIALS, what
 * `gcloud auth application-default login` left, or the metadata server. The library keeps a token until it expires.
 */
async function googleToken(provider: Provider): Promise<ProviderKey> {
  if (failed !== undefined && Date.now() < failed.untilMs) return failed.key;
  try {
    const token = await resultWithin(fetchedToken(provider), TOKEN_WITHIN_MS);
    if (token) {
      failed = undefined;
      return { key: token };
    }
    return remembered('Google gave no token in time');
  } catch (error) {
    return remembered(whyNoToken(error));
  }
}

async function fetchedToken({ baseUrl }: Provider): Promise<string | undefined> {
  // Without a project the library looks for one, and starts gcloud to do so. A token is of an account, and not of a project.
  const projectId = PROJECT.exec(baseUrl)?.[1] ?? '';
  auth ??= import('google-auth-library').then(
    ({ GoogleAuth }) => new GoogleAuth({ scopes: SCOPE, projectId }),
  );
  auth.catch(() => {
    auth = undefined;
  });
  return (await (await auth).getAccessToken()) ?? undefined;
}

function remembered(missing: string): ProviderKey {
  const key = { missing };
  failed = { key, untilMs: Date.now() + FAILED_FOR_MS };
  return key;
}

/** Never the library's message, which may hold what is in the file. */
function whyNoToken(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return 'google-auth-library is not installed (npm install google-auth-library, or give a token_file)';
  }
  return "there are no credentials of Google's cloud: set GOOGLE_APPLICATION_CREDENTIALS, or give a token_file";
}
