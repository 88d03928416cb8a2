/** A request and its reply where client and provider speak one dialect: byte for byte, except for what would be refused or misread. */
export { nativeBody } from './native-body.ts';
export { editedBytes, openaiReason, StreamedStopReasons, stopReasonEdits } from './stop-reason.ts';
