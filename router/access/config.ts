import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { isLoopback } from './loopback.ts';

/** Part `access` of plimsoll.config.yaml. */
export const accessSchema = z
  .strictObject({
    keys_file: z
      .string()
      .min(1)
      .optional()
      .describe('File of API keys, made by `plimsoll keys create`. It holds only hashes.'),
    required: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe(
        'Whether requests need a key. auto: where keys_file is given. false works on a loopback address alone.',
      ),
  })
  .describe('Who may use the server.');

export type AccessConfig = Readonly<z.infer<typeof accessSchema>>;

/**
 * Whether requests need a key. Only an address that this machine alone can reach may be served without.
 * @param host the address to listen on, as in `server.host`
 * @throws PlimsollError `invalid-config` where keys are needed and `keys_file` is not given, or are turned off for an address
 * that others can reach.
 */
export function requireAccess({ keys_file: keysFile, required }: AccessConfig, host: string): boolean {
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
