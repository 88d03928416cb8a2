import { PlimsollError } from '../../router/errors.ts';

/** What the operating system and zlib say of a file that cannot be read, and what a person can do about it. */
const FAILURES: Readonly<Record<string, readonly ['not-found' | 'invalid-input' | 'io', string]>> = {
  ENOENT: ['not-found', 'there is no such file'],
  ENOTDIR: ['not-found', 'there is no such file'],
  EISDIR: ['invalid-input', 'this is a folder; name the files in it'],
  EACCES: ['io', 'no permission to read it'],
  EPERM: ['io', 'no permission to read it'],
  Z_BUF_ERROR: [
    'invalid-input',
    'the file ends in the middle of the compressed stream; download or copy it again',
  ],
  Z_DATA_ERROR: [
    'invalid-input',
    'the compressed stream is damaged, or the file is not gzip in spite of its name',
  ],
};

/** What to throw for a file that could not be read. An error that is not about the file, or already says so, passes as it is. */
export function fileError(file: string, cause: unknown): unknown {
  if (cause instanceof PlimsollError || !(cause instanceof Error)) return cause;
  const systemCode = (cause as NodeJS.ErrnoException).code;
  if (systemCode === undefined) return cause;
  const [code, reason] = FAILURES[systemCode] ?? ['io', `it cannot be read (${systemCode})`];
  return new PlimsollError(code, `${file}: ${reason}.`, { place: { file }, cause });
}
