(() => {
"use strict";
const d = document, all = (what, of = d) => [...of.querySelectorAll(what)], one = what => d.querySelector(what);
const head = one("header"), stamp = one("header time"), note = one(".w"), title = d.title;
const written = Date.parse(stamp.dateTime), limit = Number(stamp.dataset.limit), usual = head.className;
const two = (n, unit, m, small) => m ? `${n} ${unit} ${m} ${small}` : `${n} ${unit}`;
const words = s => s < 300 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min`
  : s < 86400 ? two(Math.floor(s / 3600), "h", Math.floor(s / 60) % 60, "min")
  : s < 864000 ? two(Math.floor(s / 86400), "d", Math.floor(s / 3600) % 24, "h")
  : `${Math.floor(s / 86400).toLocaleString("en")} d`;
const ages = all("time.a").map(time => [time, Date.parse(time.dateTime)]);
const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const tick = () => {
  const now = Date.now(), age = Math.floor((now - written) / 1000), old = age > limit;
  for (const [time, since] of ages) say(time, words(Math.max(0, Math.floor((Math.max(now, written) - since) / 1000))));
  say(one(".y"), age < -60 ? `: ${words(-age)} ahead of this device’s clock, so ages are not right`
    : `: ${words(Math.max(0, age))} ago by this device’s clock`);
  head.className = old ? "old" : usual;
  say(note, old ? `This page is ${words(age)} old by this device’s clock: it does not say how things are now.` : "");
  note.hidden = !old;
  d.title = old ? `old: ${title}` : title;
};
tick();
setInterval(tick, 1000);
const box = one(".q input");
if (box) {
  const text = of => all("th,td:first-child,h3,p", of).map(part => part.textContent).join(" ").toLowerCase();
  let groups;
  const filter = () => {
    groups ||= all(".h tbody,.d li").map(group => [group, text(group), group.tagName === "TBODY"]);
    const wanted = box.value.toLowerCase().trim().split(/\s+/);
    let shown = 0, hosts = 0;
    for (const [group, words, counts] of groups) {
      const fits = wanted.every(word => words.includes(word));
      if (group.hidden === fits) group.hidden = !fits;
      if (counts) { hosts++; if (fits) shown++; }
    }
    say(one(".q output"), box.value.trim() ? `${shown} of ${hosts}` : "");
  };
  box.addEventListener("input", filter);
  one(".q").hidden = false;
  if (box.value) filter();
}
})();
