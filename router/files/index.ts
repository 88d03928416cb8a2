/** Files and folders that are written whole or not at all, and locks between commands. */
export { holdLock, withLock } from './lock.ts';
export { checkBounded, readBounded } from './read-bounded.ts';
export { openReplacement, type Replacement, realPlace, replaceFile } from './replace-file.ts';
export { assertFolderTakes, foldersAside, replaceFolder, restoreFolder } from './replace-folder.ts';
export { SyncedLines } from './synced-lines.ts';
export { fileFailure, uninterrupted, writeAll, writeFailure } from './write.ts';
