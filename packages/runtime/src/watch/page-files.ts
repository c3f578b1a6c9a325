// oxlint-disable-next-line typescript/triple-slash-reference -- ambient, also for packages that compile this file
/// <reference path="./assets/raw.d.ts" />
// oxlint-disable import/default -- the text of these files, not what they export
import app from './assets/app.js?raw'
import chart from './assets/chart.js?raw'
import dom from './assets/dom.js?raw'
import format from './assets/format.js?raw'
import html from './assets/index.html?raw'
import lists from './assets/lists.js?raw'
import style from './assets/style.css?raw'

/** What the page is made of, by the last part of its path. */
export const pageFiles: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  '': { type: 'text/html', text: html },
  'style.css': { type: 'text/css', text: style },
  'app.js': { type: 'text/javascript', text: app },
  'chart.js': { type: 'text/javascript', text: chart },
  'dom.js': { type: 'text/javascript', text: dom },
  'format.js': { type: 'text/javascript', text: format },
  'lists.js': { type: 'text/javascript', text: lists },
}
