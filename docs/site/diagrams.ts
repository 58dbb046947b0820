import { renderMermaidSVG } from 'beautiful-mermaid'

/** Colours of the theme, so that a picture follows the light and the dark. */
const colours = {
  bg: 'var(--vp-c-bg)',
  fg: 'var(--vp-c-text-1)',
  line: 'var(--pinstack-line)',
  accent: 'var(--vp-c-brand-1)',
  muted: 'var(--vp-c-text-2)',
  surface: 'var(--vp-c-bg-soft)',
  border: 'var(--pinstack-border)',
}

/** A Mermaid text, which GitHub draws as well, as a picture that needs no script and nothing from elsewhere. */
export function diagram(mermaid: string): string {
  const svg = renderMermaidSVG(mermaid, { ...colours, font: 'Inter', transparent: true, padding: 8 })
  return svg.replace(/@import url\([^)]*\);?/g, '').replace(/\n\s*\n+/g, '\n')
}

interface Token {
  info: string
  content: string
}
type Rule = (tokens: Token[], index: number, ...rest: any[]) => string

/** Has markdown-it draw what is marked `mermaid`. */
export function drawDiagrams(markdown: { renderer: { rules: { fence?: unknown } } }): void {
  const other = markdown.renderer.rules.fence as Rule
  const fence: Rule = (tokens, index, ...rest) => {
    const { info, content } = tokens[index]!
    if (info.trim() !== 'mermaid') return other(tokens, index, ...rest)
    return `<div class="diagram" v-pre>${diagram(content)}</div>`
  }
  markdown.renderer.rules.fence = fence
}
