import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** Writes all bytes. The system call may write fewer than it was given, on a disk that fills up for one, without an error. */
export function writeAll(descriptor: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/** A new file, all of it on the disk. */
export function writeSynced(file: string, data: string | Uint8Array): void {
  const descriptor = openSync(file, 'wx');
  try {
    writeAll(descriptor, data);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Some file systems, and Windows, sync no folders. */
const CANNOT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF', 'EACCES']);

/** Makes renames in the folder outlive a power cut. */
export function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    if (!CANNOT_SYNC.has(systemErrorCode(error))) throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
