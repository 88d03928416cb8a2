import { PlimsollError } from '../errors.ts';
import { isLoopback } from './loopback.ts';

export interface AccessOptions {
  /** File of API keys, which holds only hashes. */
  readonly keysFile?: string | undefined;
  /** Whether requests need a key. `auto`: if there is a `keysFile`. */
  readonly required: 'auto' | boolean;
}

/**
 * Whether requests need a key. Only an address that this machine alone can reach may be served without.
 * @param host the address to listen on, as in `server.host`
 * @throws PlimsollError `invalid-config` where keys are needed and `keys_file` is not given, or are turned off for an address
 * that others can reach.
 */
export function requireAccess({ keysFile, required }: AccessOptions, host: string): boolean {
  const reachable = !isLoopback(host);
  if (reachable && required === false) {
    throw new PlimsollError(
      'invalid-config',
      `access.required is false, but others can reach ${host}. Leave it out, or listen on 127.0.0.1.`,
      { place: { field: 'access.required' } },
    );
  }
  if (keysFile !== undefined) return required !== false;
  if (!reachable && required !== true) return false;
  const why = reachable ? `others can reach ${host}` : 'access.required is true';
  throw new PlimsollError(
    'invalid-config',
    `Requests need API keys, because ${why}, and none are configured. Make one with \`plimsoll keys create --name <who>\` and name its file in access.keys_file${reachable ? ', or listen on 127.0.0.1' : ''}.`,
    { place: { field: 'access.keys_file' } },
  );
}
