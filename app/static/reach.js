// Lets the keyboard reach every part that scrolls by itself: Streamlit's boxes and code blocks take
// no focus, so that their lower lines could only be read with a pointer.

const WATCHED = "pre, .stVerticalBlock, .nw-cell, .nw-scroll";
const EVERY = 500; // milliseconds

function scrolls(element) {
  const { overflowX, overflowY } = getComputedStyle(element);
  const down = element.scrollHeight > element.clientHeight && /auto|scroll/.test(overflowY);
  const across = element.scrollWidth > element.clientWidth && /auto|scroll/.test(overflowX);
  return down || across;
}

function mark() {
  for (const element of document.querySelectorAll(WATCHED)) {
    if (element.tabIndex < 0 && scrolls(element)) element.tabIndex = 0;
  }
}

window.nwReach ??= setInterval(mark, EVERY);
mark();
