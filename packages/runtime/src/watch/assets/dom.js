/** Makes an element; all text goes in as text, never as HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

/** Makes an element of a picture. */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

/**
 * Brings the children of `parent` in line with `items`: what is known by its key stays as it is, with its focus and
 * whether it is open, and is only made anew when its content changed.
 */
export function fill(parent, items, { keyOf, make }) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]))
  const wanted = items.map((item) => {
    const [key, content] = [String(keyOf(item)), JSON.stringify(item)]
    const old = known.get(key)
    if (old?.dataset.content === content) return old
    const made = make(item)
    made.dataset.key = key
    made.dataset.content = content
    if (old?.open) made.open = true
    if (old?.contains(document.activeElement)) queueMicrotask(() => focusIn(made))
    return made
  })
  const isSame = wanted.length === parent.children.length && wanted.every((child, at) => child === parent.children[at])
  if (!isSame) parent.replaceChildren(...wanted)
}

function focusIn(made) {
  const target = made.matches('button, summary, a') ? made : made.querySelector('button, summary, a')
  target?.focus({ preventScroll: true })
}

function setAttributes(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value)
  }
}
