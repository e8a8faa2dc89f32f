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
  const [pick, ground] = isDark(element) ? ["$2", "#0F161B"] : ["$1", "#FFFFFF"];
  const pattern = /light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/gi;
  const { data, layout } = JSON.parse(JSON.stringify(figure).replace(pattern, pick));
  const { fontFamily, color } = getComputedStyle(element);
  layout.font = { family: fontFamily, color, size: 13, ...layout.font };
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.autosize = true;
  if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
  return { data, layout, ground };
}

function save(plot, format, { sentence, name }, ground) {
  const layout = { ...plot.layout, paper_bgcolor: ground, plot_bgcolor: ground };
  layout.title = { text: sentence, x: 0.02, xanchor: "left", font: { size: 17 } };
  layout.margin = { ...layout.margin, t: 64 };
  const size = { width: 900, height: Math.max(480, layout.height) };
  const scale = format === "png" ? 3 : 1;
  const picture = { data: plot.data, layout: { ...layout, ...size } };
  window.Plotly.downloadImage(picture, { format, filename: name, scale, ...size });
}

function buttons(Plotly, info, ground) {
  const take = (format, icon) => ({
    name: format,
    title: `Download as ${format.toUpperCase()}`,
    icon,
    click: (plot) => save(plot, format, info, ground),
  });
  const { camera, disk } = Plotly.Icons;
  return [[take("png", camera), take("svg", disk)], ["zoom2d", "pan2d", "resetScale2d"]];
}

async function draw(place, info) {
  const Plotly = await library(info.source);
  const stamp = JSON.stringify(info.figure) + isDark(place.element);
  if (place.gone || place.stamp === stamp) return;
  place.stamp = stamp;
  const { data, layout, ground } = styled(info.figure, place.element);
  const config = { displaylogo: false, modeBarButtons: buttons(Plotly, info, ground) };
  place.element.querySelector(".nw-wait")?.remove();
  await Plotly.react(place.element, data, layout, config);
  place.element.dataset.drawn = Number(place.element.dataset.drawn ?? 0) + 1;
}

function begin(parent) {
  const element = parent.querySelector(".nw-plot");
  const place = { element };
  place.resize = new ResizeObserver(() => {
    if (element.data) window.Plotly.Plots.resize(element);
  });
  place.resize.observe(element);
  place.timer = setInterval(() => place.redraw?.(), 700); // notices a change of theme
  return place;
}

export default function (component) {
  const { data, parentElement } = component;
  let place = parentElement.nwPlace;
  if (!place) place = parentElement.nwPlace = begin(parentElement);
  place.element.style.minHeight = `${data.figure.layout.height}px`;
  place.element.setAttribute("aria-label", data.sentence);
  place.redraw = () =>
    draw(place, data).catch((error) => {
      place.element.textContent = error.message;
    });
  place.redraw();
  return () => {
    clearInterval(place.timer);
    place.resize.disconnect();
    place.gone = true;
    parentElement.nwPlace = undefined;
    if (place.element.data) window.Plotly.purge(place.element);
  };
}
