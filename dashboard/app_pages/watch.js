// Part of every page: asks the server now and then what is published, and has the page drawn again for another state or
// another age of its prices, and for the reader's other theme. Finds the end of the address (`#losses`) too.
const findAnchor = () => {
  const find = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))
  const show = (part) => {
    part.parentElement.querySelector('.later')?.setAttribute('open', '')
    part.scrollIntoView()
  }
  if (!location.hash || window.anchorSought) return
  window.anchorSought = true
  const watch = new MutationObserver(() => find() && (watch.disconnect(), show(find())))
  watch.observe(document.body, { childList: true, subtree: true })
  setTimeout(() => watch.disconnect(), 15000)
}

const published = async (address) => {
  const answer = await fetch(address)
  return answer.ok ? answer.json() : null
}

// A line above the page while the warehouse or the server is away.
const say = (sentence) => {
  const found = document.getElementById('away')
  if (!sentence) return found?.remove()
  const note = found ?? document.body.appendChild(Object.assign(document.createElement('div'), { id: 'away' }))
  note.setAttribute('role', 'status')
  note.textContent = sentence
}

// A button with `data-copy` copies its words; "{address}" in them is the page's own.
const copy = async (words) => {
  try {
    await navigator.clipboard.writeText(words)
  } catch {
    const area = document.body.appendChild(Object.assign(document.createElement('textarea'), { value: words }))
    area.select()
    document.execCommand('copy')
    area.remove()
  }
}

const copyOnClick = () => {
  if (window.copying) return
  window.copying = true
  document.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy]')
    if (!button || button.dataset.said) return
    const here = location.origin + location.pathname + location.search
    await copy(button.dataset.copy.replace('{address}', here))
    button.dataset.said = button.textContent
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = button.dataset.said
      delete button.dataset.said
    }, 1500)
  })
}

// On a phone the menu lies over the page: a choice closes it.
const closeMenu = () => setTimeout(() => {
  if (innerWidth < 768) document.querySelector('[data-testid=stSidebarCollapseButton] button')?.click()
}, 50)

const closeOnChoice = () => {
  if (window.closing) return
  window.closing = true
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid=stSidebarNavLink]')) closeMenu()
  })
}

// On paper a drawing is as wide as the page (`print.css`), and what is folded lies open.
const readyForPaper = () => {
  if (window.printing) return
  window.printing = true
  addEventListener('beforeprint', () => {
    document.querySelectorAll('details:not([open])').forEach((part) => part.setAttribute('open', 'paper'))
    document.querySelectorAll('.js-plotly-plot').forEach((chart) => {
      const { width, height } = chart._fullLayout ?? {}
      if (!width) return
      chart.querySelectorAll('.main-svg').forEach((part) => part.setAttribute('viewBox', `0 0 ${width} ${height}`))
      chart.querySelector('.svg-container').style.aspectRatio = `${width} / ${height}`
    })
  })
  addEventListener('afterprint', () => {
    document.querySelectorAll('details[open=paper]').forEach((part) => part.removeAttribute('open'))
    document.querySelectorAll('.js-plotly-plot .main-svg').forEach((part) => part.removeAttribute('viewBox'))
  })
}

export default function ({ data, parentElement, setTriggerValue }) {
  findAnchor()
  copyOnClick()
  closeOnChoice()
  readyForPaper()
  clearInterval(parentElement.looking)
  if (data.gone) say(data.away)
  const theme = getComputedStyle(parentElement.host ?? parentElement).colorScheme === 'dark' ? 'dark' : 'light'
  if (theme !== data.theme) setTriggerValue('changed', theme)
  parentElement.looking = setInterval(async () => {
    const now = await published(data.address).catch(() => null) // a server that is away for a moment is asked again
    say(now ? '' : data.away)
    if (now && (now.state !== data.state || now.prices !== data.prices)) setTriggerValue('changed', now.state)
  }, data.seconds * 1000)
  return () => clearInterval(parentElement.looking)
}
