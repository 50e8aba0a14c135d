// The page's HTML lets nothing run but its own script.
import { describe, expect, it } from 'vitest';
import { pageHtml } from '../../../src/editor/pageHtml';

const files = {
  cspSource: 'https://csp.example',
  scriptUri: 'https://x/page.js',
  styleUri: 'https://x/page.css',
};

describe('the HTML of the page', () => {
  it('allows no inline script or style, and nothing from elsewhere', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(
      pageHtml(files, '/a.js', 'en'),
    )?.[1];
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).not.toContain('unsafe');
    expect(policy).toMatch(/script-src 'nonce-[A-Za-z0-9+/]{22}=='$/);
  });

  it('has another nonce each time', () => {
    const nonce = (): string | undefined =>
      /script nonce="([^"]+)"/.exec(pageHtml(files, '/a.js', 'en'))?.[1];
    expect(nonce()).not.toBe(nonce());
  });

  it('takes any name of a file for text', () => {
    const html = pageHtml(files, `/"><script>alert('x')</script>.js`, 'en');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)');
  });
});
