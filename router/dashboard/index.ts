/** The page for people: what Plimsoll saves, what it decides and what needs somebody's attention. */
import type { IncomingMessage } from 'node:http';
import type { DashboardParts, PageListener } from './dashboard-parts.ts';

export type { DashboardParts, PageListener } from './dashboard-parts.ts';
export { ReviewHolder } from './review-holder.ts';
export { createLink } from './sign-in-link.ts';

/** All pages are under it. */
export const DASHBOARD_PATH = '/dashboard';

/** Whether a request is for a page: all below /dashboard, and / of a browser. */
export function isForDashboard({ method, url = '', headers: { accept = '' } }: IncomingMessage): boolean {
  if (url === '/') return (method === 'GET' || method === 'HEAD') && accept.includes('text/html');
  return url.startsWith(DASHBOARD_PATH) && /^(?:[/?]|$)/.test(url.slice(DASHBOARD_PATH.length));
}

/** Serves the pages. Their code is loaded with the first request for one: a server whose page nobody opens does not pay for it. */
export function createDashboard(parts: DashboardParts): PageListener {
  let opening: Promise<PageListener> | undefined;
  return (request, response) => {
    opening ??= import('./open-dashboard.ts').then(({ openDashboard }) => openDashboard(parts));
    opening.then(
      (listener) => listener(request, response),
      () => {
        opening = undefined;
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
        response.end('The page could not be loaded. The API is not affected.\n');
      },
    );
  };
}
