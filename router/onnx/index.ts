/** ONNX files and the native runtime. The only room that loads onnxruntime-node. */
export {
  decodeModel,
  ELEMENT_TYPE,
  encodeModel,
  floatValues,
  int8Values,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
  stringValues,
  valueInfo,
} from './messages.ts';
export {
  openSession,
  requireTelemetryDisabled,
  type Session,
  sessionOptions,
  type Tensor,
  tensor,
} from './session.ts';
