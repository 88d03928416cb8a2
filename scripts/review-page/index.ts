/** A local page on which people grade replies. */
export { type ReviewServer, type ReviewServerOptions, startReviewServer } from './server.ts';
