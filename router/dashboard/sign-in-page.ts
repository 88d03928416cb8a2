import { html } from '../markup.ts';
import { type Look, layout, notice } from './layout.ts';

/** For who is not signed in. @param withKeys whether there are API keys to sign in with @param fault why the last try was refused */
export function signInPage(withKeys: boolean, look: Look, fault?: string): string {
  const form = html`<form method="post" action="/dashboard/sign-in" class="sign-in">
<input name="username" autocomplete="username" value="Plimsoll" hidden>
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required maxlength="200" spellcheck="false">
<button class="primary">Sign in</button>
</form>
<p class="muted">It takes a key with a role: <code>plimsoll keys create --name &lt;who&gt; --role view</code>.</p>`;
  return layout({
    title: 'Sign in',
    look,
    main: html`<div class="message"><h1>Sign in</h1>${fault !== undefined && notice(fault, 'fault')}${withKeys && form}
<p${withKeys && html` class="muted"`}>${withKeys ? 'Or' : 'This page opens'} by a link that works once: run <code>plimsoll dashboard link</code> where the server runs.</p></div>`,
  });
}
