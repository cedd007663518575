// Part of every page: asks the server now and then what is published, and has the page drawn again for another state or
// another age of its prices, and for the reader's other theme. Finds the end of the address (`#losses`) too.
const findAnchor = () => {
  const find = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!location.hash || window.anchorSought) return
  window.anchorSought = true
  const watch = new MutationObserver(() => find() && (watch.disconnect(), find().scrollIntoView()))
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

export default function ({ data, parentElement, setTriggerValue }) {
  findAnchor()
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
