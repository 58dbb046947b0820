/** For every page of our own: readable in light and dark, from a phone to a desk. */
export const baseStyle = `
:root { color-scheme: light dark; --back: #f6f7f9; --card: #ffffff; --text: #1c1f26; --soft: #5a6272; --line: #b9c0cc; --accent: #2457d6; --on-accent: #ffffff; --bad: #b3261e; --good: #14693a; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171c; --card: #1d2128; --text: #e8eaee; --soft: #a2abba; --line: #4a5261; --accent: #8fb0ff; --on-accent: #0f1a33; --bad: #ffb4ab; --good: #8fd8aa; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
`
