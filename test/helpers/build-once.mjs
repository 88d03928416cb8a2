/** Before the first test: the command line and the child processes of tests run what is built, as users do; it starts five times as fast. */
export { ensureBuilt as setup } from '../../scripts/build.mjs';
