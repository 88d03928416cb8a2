/** Files and folders that are written whole or not at all, and locks between commands. */
export { writeFailure } from './failure.ts';
export { withLock } from './lock.ts';
export { openReplacement, type Replacement, replaceFile } from './replace-file.ts';
export { assertFolderTakes, foldersAside, replaceFolder, restoreFolder } from './replace-folder.ts';
export { writeAll } from './synced.ts';
export { uninterrupted } from './uninterrupted.ts';
