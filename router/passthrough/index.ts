/** A request and its reply where client and provider speak one dialect: byte for byte, except for what would be refused or misread. */
export { withOwnResults } from './batch-results.ts';
export { type FormPiece, formPieces } from './form-stream.ts';
export { formField, withFormValue } from './multipart.ts';
export { nativeBody } from './native-body.ts';
export { responsesInput } from './responses-body.ts';
export {
  GOOGLE_ROUTE,
  PASSED_OPERATIONS,
  PASSED_ROUTES,
  type PassedOperation,
  type PassedRequest,
  type PassedRoute,
  passedPathsOf,
} from './routes.ts';
export { editedBytes, openaiReason, StreamedStopReasons, stopReasonEdits } from './stop-reason.ts';
