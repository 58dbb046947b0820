import { renderMermaidSVG } from 'beautiful-mermaid'

/**
 * A Mermaid text, which GitHub draws as well, as a picture that needs no script and nothing from elsewhere. Its colours are in the
 * theme's style sheet, so it follows the light and the dark; Vue would drop a style that stands in a page.
 */
export function diagram(mermaid: string): string {
  const svg = renderMermaidSVG(mermaid, { transparent: true, padding: 8, nodeSpacing: 32, layerSpacing: 48 })
  return svg
    .replace(/<style>[^]*?<\/style>/g, '')
    .replace(/(<svg [^>]*?) style="[^"]*"/, '$1 role="img"')
    .replace(/\n\s*\n+/g, '\n')
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
