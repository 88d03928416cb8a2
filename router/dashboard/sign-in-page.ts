import { html } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { type Look, layout, notice } from './layout.ts';

/** How people may sign in, besides by a link. */
export interface SignInWays {
  /** With an API key that has a role. */
  readonly withKeys: boolean;
  /** With an account that a provider of OpenID Connect knows. */
  readonly withOpenId: boolean;
}

/** For visitors who are not signed in. @param fault why the last try was refused */
export function signInPage({ withKeys, withOpenId }: SignInWays, look: Look, fault?: string): string {
  const account = html`<p><a class="button" href="/dashboard/oidc">Sign in with your organisation’s account</a></p>`;
  const form = html`<form method="post" action="/dashboard/sign-in" class="sign-in">
<input name="username" autocomplete="username" value="Plimsoll" hidden>
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required maxlength="200" spellcheck="false">
<button class="primary">Sign in</button>
</form>
<p class="muted">It takes a key with a role: <code>${COMMAND} keys create --name &lt;who&gt; --role view</code>.</p>`;
  const hasWay = withKeys || withOpenId;
  return layout({
    title: 'Sign in',
    look,
    main: html`<div class="message"><h1>Sign in</h1>${fault !== undefined && notice(fault, 'fault')}${withOpenId && account}${withKeys && form}
<p${hasWay && html` class="muted"`}>${hasWay ? 'Or' : 'This page opens'} by a link that works once: run <code>${COMMAND} dashboard link</code> where the server runs.</p></div>`,
  });
}
