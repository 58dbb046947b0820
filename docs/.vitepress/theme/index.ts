import { useData, type Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { h } from 'vue'
import './style.css'

/** Below each page, since a copy or a print of it should say what it is about. */
function Version() {
  const { theme } = useData()
  return h('p', { class: 'version' }, `Pinstack ${theme.value.version}`)
}

const theme: Theme = {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      'doc-footer-before': () => h(Version),
      'home-features-after': () => h(Version),
    }),
}

export default theme
