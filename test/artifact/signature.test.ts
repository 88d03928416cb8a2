import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeArtifact } from '../../router/artifact/artifact-files.ts';
import {
  checkSignature,
  createKeyPair,
  readPrivateKey,
  readPublicKey,
  SIGNATURE_FILE,
  signatureFault,
  signVerdict,
} from '../../router/artifact/signature.ts';
import { scaled } from '../helpers/long-run.ts';
import { layVerdict } from '../helpers/verdicts.ts';
import { draft, scratchFolder } from './draft.ts';

function signed() {
  const home = scratchFolder();
  const folder = path.join(home, 'made-up');
  writeArtifact(folder, draft);
  layVerdict(folder);
  const files = createKeyPair(path.join(home, 'gate'), undefined);
  const file = signVerdict(folder, readPrivateKey(files.privateFile, '--key', undefined));
  return { home, folder, file, publicKey: readPublicKey(files.publicFile, '--key'), ...files };
}

describe('a signature', () => {
  it('is one line of base64 beside the verdict, and checks', () => {
    const { folder, file, publicKey } = signed();
    expect(file).toBe(path.join(folder, SIGNATURE_FILE));
    expect(readFileSync(file, 'utf8')).toMatch(/^[A-Za-z0-9+/]{86}==\n$/);
    expect(() => checkSignature(folder, publicKey)).not.toThrow();
  });

  it('no byte of the verdict or of the signature can be another', () => {
    const { folder, file, publicKey } = signed();
    const verdict = readFileSync(path.join(folder, 'verdict.json'));
    const signature = readFileSync(file);
    const mutation = (bytes: Uint8Array) =>
      fc
        .record({ at: fc.nat(bytes.length - 1), xor: fc.integer({ min: 1, max: 255 }) })
        .map(({ at, xor }) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ xor : byte)));
    fc.assert(
      fc.property(mutation(verdict), (bytes) => {
        expect(signatureFault(folder, bytes, publicKey)).toMatchObject({ reason: 'bad-signature' });
      }),
      { numRuns: scaled(300) },
    );
    fc.assert(
      fc.property(mutation(signature), (bytes) => {
        writeFileSync(file, bytes);
        expect(signatureFault(folder, verdict, publicKey)).toMatchObject({ reason: 'bad-signature' });
      }),
      { numRuns: scaled(500) },
    );
    // the last digit before the padding has four bits that a lenient decoder ignores: all 63 others, not a sample
    const text = signature.toString('latin1');
    for (const digit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
      writeFileSync(file, `${text.slice(0, 85)}${digit}${text.slice(86)}`);
      expect(signatureFault(folder, verdict, publicKey) === undefined).toBe(digit === text[85]);
    }
  });

  it.each([
    ['an empty file', ''],
    ['two lines', `${'A'.repeat(86)}==\n\n`],
    ['base64url', `${'-'.repeat(86)}==\n`],
    ['hex', `${'a'.repeat(128)}\n`],
    ['64 zero bytes', `${'A'.repeat(86)}==\n`],
  ])('%s is none', (_, text) => {
    const { folder, file, publicKey } = signed();
    writeFileSync(file, text);
    expect(() => checkSignature(folder, publicKey)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', message: expect.stringContaining(file) }),
    );
  });

  it('a folder in its place is said', () => {
    const home = scratchFolder();
    mkdirSync(path.join(home, SIGNATURE_FILE));
    const { publicKey } = signed();
    expect(signatureFault(home, new Uint8Array(), publicKey)).toMatchObject({
      reason: 'bad-signature',
      why: expect.stringContaining('cannot be read (EISDIR)'),
    });
  });
});

describe('createKeyPair', () => {
  it('the private key is for its owner alone, whatever the umask', () => {
    const before = process.umask(0);
    const { privateFile } = signed();
    process.umask(before);
    expect(statSync(privateFile).mode & 0o777).toBe(0o600);
  });

  it.each(['gate.pem', 'gate.pub.pem'])('never overwrites %s, not even a link that leads nowhere', (name) => {
    const home = scratchFolder();
    symlinkSync(path.join(home, 'nowhere'), path.join(home, name));
    expect(() => createKeyPair(path.join(home, 'gate'), undefined)).toThrow(
      /exists already, and keys are never/,
    );
    expect(existsSync(path.join(home, 'nowhere'))).toBe(false);
  });

  it('with a passphrase the private key opens by it alone', () => {
    const { privateFile } = createKeyPair(path.join(scratchFolder(), 'gate'), 'open sesame');
    expect(readFileSync(privateFile, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(readPrivateKey(privateFile, '--key', 'open sesame').asymmetricKeyType).toBe('ed25519');
    expect(() => readPrivateKey(privateFile, '--key', undefined)).toThrow(
      /environment variable PLIMSOLL_KEY_PASSPHRASE/,
    );
    expect(() => readPrivateKey(privateFile, '--key', 'x')).toThrow(
      /does not open with the passphrase in PLIMSOLL_/,
    );
  });
});

describe('a key that is none', () => {
  type Own = ReturnType<typeof signed>;
  const spki = { type: 'spki', format: 'pem' } as const;
  const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
  const written = (text: string | Buffer) => {
    const file = path.join(scratchFolder(), 'key.pem');
    writeFileSync(file, text);
    return file;
  };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const x25519 = generateKeyPairSync('x25519');

  it.each<[string, (own: Own) => string, RegExp]>([
    [
      'a private key',
      (own) => own.privateFile,
      /gate\.pem, which gate\.public_key names, holds a private key/,
    ],
    ['RSA', () => written(rsa.publicKey.export(spki)), /is a key of the type rsa, not Ed25519\. Make a pair/],
    ['X25519', () => written(x25519.publicKey.export(spki)), /of the type x25519, not Ed25519/],
    ['no PEM', () => written('hello'), /holds no public key in PEM/],
    [
      'damaged',
      () => written('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'),
      /no key in PEM/,
    ],
    ['no file', () => '/no/such.pem', /There is no key at \/no\/such\.pem, which gate\.public_key names/],
    ['a folder', (own) => own.home, /cannot be read \(EISDIR\)/],
  ])('public: %s', (_, file, message) => {
    expect(() => readPublicKey(file(signed()), 'gate.public_key')).toThrow(
      expect.objectContaining({ name: 'PlimsollError', message: expect.stringMatching(message) }),
    );
  });

  it.each<[string, (own: Own) => string, RegExp]>([
    ['a public key', (own) => own.publicFile, /holds a public key, which only checks/],
    ['RSA', () => written(rsa.privateKey.export(pkcs8)), /of the type rsa, not Ed25519/],
    ['no PEM', () => written('hello'), /is no key in PEM that can be read/],
    ['no file', () => '/no/such.pem', /There is no key at \/no\/such\.pem, which --key names/],
  ])('private: %s', (_, file, message) => {
    expect(() => readPrivateKey(file(signed()), '--key', undefined)).toThrow(
      expect.objectContaining({ name: 'PlimsollError', message: expect.stringMatching(message) }),
    );
  });
});
