import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import type { DocumentKey } from './ports.ts';

const PREFIX = 'enc1';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/** Encrypts what people wrote before it is stored. */
export interface TextCipher {
  /** Undefined: texts are stored in clear. */
  readonly currentKeyId: string | undefined;
  /** Ids of all keys that it can decrypt with. */
  readonly keyIds: readonly string[];
  /** @param place where the text is stored: it cannot be moved to another place unnoticed */
  seal(text: string, place: string): string;
  /**
   * Text in clear is returned as it is.
   * @throws PlimsollError `invalid-state` if its key is not known, or it was changed
   */
  open(stored: string, place: string): string;
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits a text. Stored as `enc1.<key id>.<base64url of nonce, text and tag>`.
 * One key may seal 2^32 texts (section 8.3); rotate it before.
 *
 * @param keys `<id>:<32 bytes in base64>`, with commas between: the first one encrypts, all of them decrypt. Undefined: no encryption
 * @param source the name of the environment variable, for messages
 * @throws PlimsollError `invalid-config`; its message never has a key
 */
export function textCipher(keys: string | undefined, source: string): TextCipher {
  const known = keys === undefined ? new Map<string, Buffer>() : parseKeys(keys, source);
  const [current] = known;
  return {
    currentKeyId: current?.[0],
    keyIds: [...known.keys()],
    seal(text, place) {
      if (current === undefined) return text;
      const [id, key] = current;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(place));
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${PREFIX}.${id}.${sealed.toString('base64url')}`;
    },
    open(stored, place) {
      const id = sealingKey(stored);
      if (id === undefined) return stored;
      const key = known.get(id);
      if (key === undefined) {
        throw new PlimsollError(
          'invalid-state',
          `A stored text is encrypted with the key "${id}", which ${source} does not have. Add it behind the current one.`,
        );
      }
      return decrypted(Buffer.from(stored.slice(stored.lastIndexOf('.') + 1), 'base64url'), key, place);
    },
  };
}

/** What the text of a record is bound to. */
export function logPlace(stream: string, id: string): string {
  return `log/${stream}/${id}`;
}

/** What the value of a document is bound to. */
export function documentPlace({ scope, kind, id }: DocumentKey): string {
  return `document/${scope}/${kind}/${id}`;
}

/** Id of the key that a stored text is encrypted with; undefined if it is in clear. Stored JSON never begins like this. */
export function sealingKey(stored: string): string | undefined {
  return /^enc1\.([A-Za-z0-9_-]{1,32})\./.exec(stored)?.[1];
}

function decrypted(sealed: Buffer, key: Buffer, place: string): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return (
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (cause) {
    throw new PlimsollError(
      'invalid-state',
      `The stored text ${place} cannot be decrypted: it was changed, or its key has another value than when it was written.`,
      { cause },
    );
  }
}

function parseKeys(text: string, source: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const [index, part] of text.split(',').entries()) {
    const [id = '', value = '', ...rest] = part.trim().split(':');
    const key = Buffer.from(value, 'base64');
    if (!KEY_ID.test(id) || rest.length > 0 || key.length !== KEY_BYTES || keys.has(id)) {
      throw new PlimsollError(
        'invalid-config',
        `${source}, key ${index + 1}: must be <id>:<32 bytes in base64>, each id once, with commas between keys. Make one with: echo "2026-1:$(openssl rand -base64 32)".`,
      );
    }
    keys.set(id, key);
  }
  return keys;
}
