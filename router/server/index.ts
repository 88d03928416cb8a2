export { announceReload, exampleRequest, isGuarded } from './announce.ts';
export { createSender } from './answer.ts';
export { createApp } from './create-app.ts';
export { decisionJson, explainedJson } from './decision-json.ts';
export { drainOnSignal } from './drain-on-signal.ts';
export { bodyLimits, jsonBody } from './json-body.ts';
export { standingJson } from './standing-json.ts';
export { type RunningServer, startServer } from './start-server.ts';
