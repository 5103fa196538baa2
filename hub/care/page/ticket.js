// The page behind a ticket's QR: shows the consent text, takes a contact, takes a consent back.
// The secret stands behind the # of the address, which a browser sends to nobody; it is asked by path.

const WORDS = {
  heading: ['Your ticket', '体验票'],
  heading_out: ['No more messages', '退订'],
  shop: ['Shop: ', '门店：'],
  ticket: ['Ticket: ', '票号：'],
  about: ['Show this number when you buy: it tells the shop that you tried it here.', '购买时请出示此票号，便于门店识别您的体验。'],
  none: ['This shop sends no messages. There is nothing to do here.', '本店不发送信息，您无需操作。'],
  ask: ['Would you like a coupon by message?', '想收到一条优惠信息吗？'],
  contact_mail: ['Mail address', '电子邮箱'],
  contact_phone: ['Mobile number', '手机号码'],
  contact_both: ['Mail address or mobile number', '电子邮箱或手机号码'],
  agree: ['I have read this and agree', '我已阅读并同意'],
  send: ['Agree', '同意'],
  agreed: ['You agreed on {when}. Your contact is kept encrypted until you withdraw.', '您已于{when}同意。联系方式加密保存，直至您撤回。'],
  withdraw: ['Withdraw, and delete my contact', '撤回同意并删除联系方式'],
  withdrawn: ['Done: there is no consent any more, and your contact is deleted.', '已撤回，您的联系方式已删除。'],
  out_ask: ['Press the button and you get no more messages; your contact is deleted.', '点击按钮后不再收到信息，联系方式将被删除。'],
  out: ['No more messages', '确认退订'],
  waiting: ['One moment…', '请稍候…'],
  link_nowhere: ['This link leads nowhere, or its time is over. If you just got the ticket, try again in a few minutes.', '链接无效或已过期。如果刚拿到体验票，请过几分钟再试。'],
  too_many_tries: ['Too many requests. Try again in a minute.', '请求过于频繁，请一分钟后再试。'],
  bad_contact: ['Give a mail address, or a mobile number with digits only.', '请填写电子邮箱，或仅含数字的手机号码。'],
  not_asked: ['The shop cannot write to such a contact. Nothing was kept.', '本店无法使用该联系方式，未保存任何信息。'],
  other_text: ['The text has changed. Read it again, please.', '文本已更新，请重新阅读。'],
  offline: ['Nothing came back. Check the connection and try again.', '没有响应，请检查网络后重试。'],
  again: ['Try again', '重试'],
  other: ['中文', 'English'],
}

const main = document.getElementById('main')
let chinese = (navigator.languages ?? [navigator.language]).some((one) => one.toLowerCase().startsWith('zh'))
let page // what the hub told of the ticket
let done // withdrawn, or out

const say = (key, values = {}) => WORDS[key][chinese ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name])
const out = () => location.hash.startsWith('#out/')
const secret = () => encodeURIComponent(location.hash.replace(/^#(out\/)?/, ''))

/** An element with attributes and children; text is text, never markup. */
function element(name, given = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value)
    else if (value !== false) made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children)
  return made
}

async function ask(method, path, body) {
  let answer
  try {
    answer = await fetch(`/api/${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body), credentials: 'omit' })
  } catch {
    throw 'offline'
  }
  if (answer.ok) return answer.json()
  const told = await answer.json().catch(() => ({}))
  const code = told.error?.code
  if (answer.status === 422 && secret().length < 20) throw 'link_nowhere'
  throw answer.status === 400 || answer.status === 422 ? 'bad_contact' : code in WORDS ? code : 'offline'
}

function fault(code, again) {
  return element('div', { class: 'fault', role: 'alert' }, element('p', {}, say(code)), ...(again ? [element('button', { type: 'button', onclick: again }, say('again'))] : []))
}

function show(...parts) {
  document.documentElement.lang = chinese ? 'zh-CN' : 'en'
  document.title = say(out() ? 'heading_out' : 'heading')
  document.getElementById('heading').textContent = document.title
  const other = document.getElementById('language')
  other.textContent = say('other')
  other.lang = chinese ? 'en' : 'zh-CN'
  main.replaceChildren(...parts)
}

function ticket() {
  return [
    element('p', {}, say('shop') + page.shop),
    element('p', {}, say('ticket'), element('strong', { class: 'ticket' }, page.ticket)),
    element('p', {}, say('about')),
  ]
}

function draw(failed, contact = '') {
  const parts = failed ? [fault(failed)] : []
  if (out()) return show(...(done ? [element('p', {}, say('withdrawn'))] : [element('p', {}, say('out_ask')), element('button', { type: 'button', onclick: goOut }, say('out'))]), ...parts)
  if (done) return show(...ticket(), element('p', { role: 'status' }, say('withdrawn')), ...parts)
  if (page.agreed_at) {
    const when = new Date(page.agreed_at).toLocaleDateString(chinese ? 'zh-CN' : 'en', { dateStyle: 'long' })
    return show(...ticket(), element('p', { role: 'status' }, say('agreed', { when })), element('button', { type: 'button', onclick: withdraw }, say('withdraw')), ...parts)
  }
  if (!page.possible.length) return show(...ticket(), element('p', {}, say('none')))
  const kind = page.possible.length > 1 ? 'both' : page.possible[0]
  show(
    ...ticket(),
    element('h2', {}, say('ask')),
    element('blockquote', {}, element('p', {}, chinese ? page.text_zh : page.text_en)),
    ...parts,
    element(
      'form',
      { onsubmit: agree },
      element('label', {}, say(`contact_${kind}`), element('input', { type: 'text', name: 'contact', required: true, maxlength: '254', autocomplete: kind === 'phone' ? 'tel' : 'email', inputmode: kind === 'phone' ? 'tel' : 'email', value: contact })),
      element('label', { class: 'agree' }, element('input', { type: 'checkbox', name: 'agreed', required: true }), say('agree')),
      element('button', {}, say('send')),
    ),
  )
}

async function agree(event) {
  event.preventDefault()
  const contact = new FormData(event.target).get('contact')
  try {
    page = await ask('POST', `tickets/${secret()}/consent`, { contact, agreed: true, text_version: page.text_version, language: chinese ? 'zh' : 'en' })
    draw()
  } catch (code) {
    // A new text is shown before anybody agrees to it.
    if (code === 'other_text') page = await ask('GET', `tickets/${secret()}`).catch(() => page)
    draw(code, contact)
  }
}

async function withdraw() {
  try {
    await ask('DELETE', `tickets/${secret()}/consent`)
    done = true
    draw()
  } catch (code) {
    draw(code)
  }
}

async function goOut() {
  try {
    await ask('POST', `way-out/${secret()}`)
    done = true
    draw()
  } catch (code) {
    draw(code)
  }
}

async function open() {
  done = false
  page = undefined
  if (out()) return draw()
  show(element('p', {}, say('waiting')))
  try {
    page = await ask('GET', `tickets/${secret()}`)
    draw()
  } catch (code) {
    show(fault(code, open))
  }
}

document.getElementById('language').addEventListener('click', () => {
  chinese = !chinese
  page || out() ? draw() : void open()
})
addEventListener('hashchange', open)
void open()
