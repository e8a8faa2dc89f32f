// Hands over the text of a Streamlit text area while somebody types: a moment after the last
// stroke it is told what Ctrl+Enter would tell it. The area keeps focus, selection and undo.

const PAUSE = 700;

function tell(area) {
  const enter = { key: "Enter", code: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
  area.dispatchEvent(new KeyboardEvent("keydown", enter));
}

export default function ({ data, parentElement }) {
  const page = parentElement.ownerDocument;
  page.nwLiveAreas ??= new Set();
  if (page.nwLiveAreas.has(data.area)) return; // every run of the script comes by here
  page.nwLiveAreas.add(data.area);
  let timer;
  page.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || !target.closest(`.st-key-${data.area}`)) return;
    clearTimeout(timer);
    timer = setTimeout(tell, PAUSE, target);
  });
}
