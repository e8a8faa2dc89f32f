// Draws a Plotly figure and updates it in place, so that zoom, hidden curves and the page itself
// stay still while data arrives. Colours written as light-dark(#rrggbb, #rrggbb) follow the theme.

function library(source) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  window.nwPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      window.nwPlotly = undefined;
      reject(new Error("The chart library could not be loaded. Reload the page."));
    };
    document.head.append(script);
  });
  return window.nwPlotly;
}

function isDark(element) {
  return getComputedStyle(element).colorScheme.includes("dark");
}

function styled(figure, element) {
  const pick = isDark(element) ? "$2" : "$1";
  const pattern = /light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/gi;
  const { data, layout } = JSON.parse(JSON.stringify(figure).replace(pattern, pick));
  const { fontFamily, color } = getComputedStyle(element);
  layout.font = { family: fontFamily, color, size: 13, ...layout.font };
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.autosize = true;
  if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
  return [data, layout];
}

function save({ element, info }, format) {
  const { sentence, name } = info;
  const ground = isDark(element) ? "#0F161B" : "#FFFFFF";
  const layout = { ...element.layout, paper_bgcolor: ground, plot_bgcolor: ground };
  layout.title = { text: sentence, x: 0.02, xanchor: "left", font: { size: 17 } };
  layout.margin = { ...layout.margin, t: 64 };
  const size = { width: 900, height: Math.max(480, layout.height) };
  const scale = format === "png" ? 3 : 1;
  const picture = { data: element.data, layout: { ...layout, ...size } };
  window.Plotly.downloadImage(picture, { format, filename: name, scale, ...size });
}

function settings(Plotly, place) {
  const take = (format, icon) => ({
    name: format,
    title: `Download as ${format.toUpperCase()}`,
    icon,
    click: () => save(place, format),
  });
  const { camera, disk } = Plotly.Icons;
  const tools = [[take("png", camera), take("svg", disk)], ["zoom2d", "pan2d", "resetScale2d"]];
  return { displaylogo: false, modeBarButtons: tools };
}

async function draw(place) {
  const { element, info } = place;
  const Plotly = await library(info.source);
  const stamp = JSON.stringify(info.figure) + isDark(element);
  if (place.held || place.stamp === stamp) return; // never under a moving pointer
  place.stamp = stamp;
  place.config ??= settings(Plotly, place); // a new object would make Plotly start from nothing
  element.querySelector(".nw-wait")?.remove();
  await Plotly.react(element, ...styled(info.figure, element), place.config);
  if (!place.listening) listen(place);
  element.dataset.drawn = Number(element.dataset.drawn ?? 0) + 1;
}

// A click on a point that carries `customdata` is told to the page, once a click.
function listen(place) {
  place.listening = true;
  place.element.on("plotly_click", ({ points }) => {
    const chosen = points[0]?.customdata;
    if (chosen !== undefined) place.tell("clicked", chosen);
  });
}

function redraw(place) {
  draw(place).catch((error) => {
    place.element.textContent = error.message;
  });
}

function begin(element) {
  const place = { element };
  place.resize = new ResizeObserver(() => {
    if (element.data) window.Plotly.Plots.resize(element);
  });
  place.resize.observe(element);
  place.hold = () => (place.held = true);
  place.release = () => (place.held = false);
  element.addEventListener("pointerdown", place.hold);
  window.addEventListener("pointerup", place.release);
  place.timer = setInterval(() => tick(place), 700); // what was held back, or a change of theme
  return place;
}

function tick(place) {
  if (place.element.isConnected) redraw(place);
  else end(place);
}

function end(place) {
  clearInterval(place.timer);
  place.resize.disconnect();
  window.removeEventListener("pointerup", place.release);
  if (place.element.data) window.Plotly.purge(place.element);
}

// Streamlit calls this again for every update of the data, so nothing is torn down in between:
// a chart ends when its element has left the page.
export default function ({ data, parentElement, setTriggerValue }) {
  const element = parentElement.querySelector(".nw-plot");
  const place = (element.nwPlace ??= begin(element));
  element.style.minHeight = `${data.figure.layout.height}px`;
  element.setAttribute("aria-label", data.sentence);
  place.info = data;
  place.tell = setTriggerValue;
  redraw(place);
}
