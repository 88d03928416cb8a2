/** The HTTP server: routes and guards; and decisions as its API writes them. */
export { createApp } from './create-app.ts';
export { decisionJson, explainedJson, standingJson } from './decision-json.ts';
export { isGuarded } from './guards.ts';
export { exampleRequest, logReload } from './server-log.ts';
export { drainOnSignal, type RunningServer, startServer } from './start-server.ts';
