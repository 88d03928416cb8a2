/** The documentation as static pages. */
export { buildSite, type SiteOptions } from './build-site.ts';
