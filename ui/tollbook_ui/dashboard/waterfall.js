// Draws the rows into #waterfall. Text goes in as text, never as markup. State `span` is the id of the clicked row.
const put = (parent, name, text) => {
  const element = parent.appendChild(document.createElement("div"));
  element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

const tick = (ms) => (ms >= 1000 ? `${+(ms / 1000).toPrecision(3)} s` : ms >= 1 ? `${+ms.toPrecision(3)} ms` : `${+(ms * 1000).toPrecision(3)} µs`);

const head = (box, total) => {
  const row = put(box, "row head");
  put(row, "name", "Span").style.paddingLeft = "10px";
  const lane = put(row, "lane");
  [0, 0.25, 0.5, 0.75].forEach((part) => (put(lane, "time", part ? tick(total * part) : "0").style.left = `${part * 100}%`));
  put(row, "cost", "Own cost");
};

const bar = (lane, span, total) => {
  const left = total ? (100 * span.start) / total : 0;
  const width = total ? (100 * span.length) / total : 100;
  const shape = put(lane, span.error ? "bar error" : "bar");
  Object.assign(shape.style, { left: `${left}%`, width: `${width}%`, background: span.colour });
  const label = put(lane, "time", span.duration);
  if (left + width < 78) label.style.left = `calc(${left + width}% + 2px)`;
  else if (left > 22) label.style.right = `${100 - left}%`;
  else Object.assign(label.style, { left: `${left}%`, color: "#fff", fontWeight: 600 });
};

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector("#waterfall");
  box.replaceChildren();
  head(box, data.total);
  for (const span of data.rows) {
    const row = put(box, "row");
    row.title = span.hint;
    row.tabIndex = 0;
    const name = put(row, "name", span.name);
    name.style.paddingLeft = `${10 + Math.min(span.depth, 12) * 14}px`;
    name.appendChild(document.createElement("small")).textContent = span.service;
    bar(put(row, "lane"), span, data.total);
    put(row, "cost", span.cost);
    row.onclick = () => {
      box.querySelector(".chosen")?.classList.remove("chosen");
      row.classList.add("chosen");
      setStateValue("span", span.id);
    };
    row.onkeydown = (event) => event.key === "Enter" && row.onclick();
  }
}
