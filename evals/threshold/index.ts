export { type CertifiableMargin, certifiableMargins } from './certifiable-margins.ts';
export { certifyThreshold, type MeanTest, requirePromise } from './certify-threshold.ts';
export { chooseThreshold, type ThresholdRule } from './choose-threshold.ts';
export { type CalibrationCases, thresholdPath } from './threshold-path.ts';
