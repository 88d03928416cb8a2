import { Command, Option } from 'commander';
import {
  type ArtifactFiles,
  checkSignature,
  createKeyPair,
  PASSPHRASE_VARIABLE,
  readArtifact,
  readPrivateKey,
  readPublicKey,
  resolveArtifact,
  signVerdict,
  standingInFolder,
} from '../../router/artifact/index.ts';
import { uninterrupted } from '../../router/files/index.ts';
import { print, printJson, printNotes } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags {
  readonly artifact?: string;
  readonly key?: string;
  readonly verify: boolean;
  readonly newKey?: string;
  readonly json: boolean;
}

/** `plimsoll sign`: who vouches for a verdict. */
export function signCommand(): Command {
  return new Command('sign')
    .option('--artifact <folder>', 'the artifact whose verdict is signed, or a store: then its current one')
    .option('--key <file>', 'the Ed25519 key in PEM: the private one, or with --verify the public one')
    .option('--verify', 'check the signature that is there', false)
    .addOption(
      new Option('--new-key <name>', 'write a new pair of keys, <name>.pem and <name>.pub.pem').conflicts([
        'artifact',
        'key',
        'verify',
      ]),
    )
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
${PASSPHRASE_VARIABLE} holds the passphrase of an encrypted private key; with --new-key it encrypts the new one.
With --verify: exit code 0 if the signature is valid, else 1.

Examples:
  plimsoll sign --new-key gate
  plimsoll sign --artifact models/mine --key gate.pem
  plimsoll sign --verify --artifact models/mine --key gate.pub.pem
`,
    )
    .action(run);
}

function run({ artifact, key, verify, newKey, json }: Flags): void {
  if (newKey !== undefined) {
    makeKeys(newKey, json);
    return;
  }
  if (artifact === undefined) throw new UsageError("required option '--artifact <folder>' not specified");
  if (key === undefined) throw new UsageError("required option '--key <file>' not specified");
  const folder = resolveArtifact(artifact);
  if (verify) checkFolder(folder, key, json);
  else signFolder(folder, key, json);
}

function makeKeys(name: string, json: boolean): void {
  const { privateFile, publicFile } = uninterrupted(() => createKeyPair(name, passphrase()));
  if (json) printJson({ private_key: privateFile, public_key: publicFile });
  else
    print(
      `Wrote ${privateFile}, which signs: keep it where nobody but the signer can read it.\n` +
        `Wrote ${publicFile}, which checks: give it to servers as gate.public_key.\n`,
    );
}

function signFolder(folder: string, keyFile: string, json: boolean): void {
  const key = readPrivateKey(keyFile, '--key', passphrase());
  const artifact = readArtifact(folder);
  const file = uninterrupted(() => signVerdict(folder, key));
  if (json) printJson({ artifact: folder, signature: file });
  else print(`Wrote ${file}\n`);
  warnWithoutPass(artifact);
}

function checkFolder(folder: string, keyFile: string, json: boolean): void {
  const publicKey = readPublicKey(keyFile, '--key');
  const artifact = readArtifact(folder);
  checkSignature(folder, publicKey);
  if (json) printJson({ artifact: folder, valid: true, key: keyFile });
  else print(`The verdict in ${folder} is signed by the private key of ${keyFile}.\n`);
  warnWithoutPass(artifact);
}

/** A signature vouches for the bytes of a verdict and does not make it a PASS. */
function warnWithoutPass(artifact: ArtifactFiles): void {
  const standing = standingInFolder(artifact, new Date());
  if (standing.kind === 'pass') return;
  printNotes([`Warning: the verdict is signed, but it is no valid PASS. ${standing.why}`]);
}

/** An empty one counts as not set. */
function passphrase(): string | undefined {
  return process.env[PASSPHRASE_VARIABLE] || undefined;
}
