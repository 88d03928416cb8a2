import type { QualityPlot } from './html/quality-plot.ts';

/** Quality against cost as SVG. The plotting library is slow to load, so it waits for the first picture. */
export async function drawQualityPlot(plot: QualityPlot): Promise<string> {
  const { renderQualityPlot } = await import('./html/quality-plot.ts');
  return renderQualityPlot(plot);
}
