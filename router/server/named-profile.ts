import type { IncomingMessage, RequestListener } from 'node:http';
import { agreedProfile, type NamedProfile, PROFILE_HEADER, profileInHeader } from '../profile-choice.ts';
import type { Guarded } from './guards.ts';

/**
 * The profile that header, path and API key name.
 * @throws PlimsollError `invalid-input` if they do not agree
 */
export function namedProfile(request: Pick<IncomingMessage, 'headers'> & Guarded): NamedProfile | undefined {
  const { pathProfile, keyProfile } = request;
  const header = request.headers[PROFILE_HEADER];
  if (header === undefined && pathProfile === undefined && keyProfile === undefined) return undefined;
  return agreedProfile(
    keyProfile === undefined ? undefined : { name: keyProfile, by: 'key' },
    pathProfile === undefined ? undefined : { name: pathProfile, by: 'path' },
    profileInHeader(header),
  );
}

const PROFILE_PATH = /^\/p\/([\w.-]+)(?=\/)/;

/**
 * `/p/<profile>/v1/…` is `/v1/…` for that profile: for clients that can set nothing but a base URL. Whether there is such a profile is said
 * behind the key guard.
 */
export function readingProfilePath(listener: RequestListener): RequestListener {
  return (request: IncomingMessage & Guarded, response) => {
    if (request.url?.startsWith('/p/')) {
      const [prefix, name] = PROFILE_PATH.exec(request.url) ?? [];
      if (prefix !== undefined && name !== undefined) {
        request.url = request.url.slice(prefix.length);
        request.pathProfile = name;
      }
    }
    listener(request, response);
  };
}
