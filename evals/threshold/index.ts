/** A threshold on the predicted loss: what each one does to labelled cases, and which one keeps a promise of quality. */
export {
  type CertifiableMargin,
  certifiableMargins,
  certifyThreshold,
  chooseThreshold,
  type MeanTest,
  requirePromise,
  type ThresholdRule,
} from './choose-threshold.ts';
export { type CalibrationCases, predictedLosses, rungsAt, thresholdPath } from './threshold-path.ts';
