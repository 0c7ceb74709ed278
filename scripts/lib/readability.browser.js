// Runs in a page under test and says what a reader would stumble over: contrast (WCAG 1.4.3), names, touch targets,
// sideways scrolling, motion. Written as one expression, so that a test can hand it to the browser as text.
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const luminance = ([r, g, b]) => {
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0.9) return colour;
    }
    return [255, 255, 255, 1];
  };
  const shown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getBoundingClientRect().width > 2;
  const tell = (element) =>
    `${element.tagName} ${element.getAttribute('class') ?? ''} "${element.textContent.trim().slice(0, 30)}"`;
  const nameOf = (element) =>
    element.getAttribute('aria-label') ??
    (element.id === '' ? null : document.querySelector(`label[for="${element.id}"]`)?.textContent) ??
    element.closest('label')?.textContent ??
    element.textContent;
  const report = { faint: [], nameless: [], small: [], wide: [], moving: [] };
  const widthPx = document.documentElement.clientWidth;
  for (const element of document.querySelectorAll('body *')) {
    if (!shown(element)) continue;
    const style = getComputedStyle(element);
    const own = Array.from(element.childNodes).some(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '',
    );
    if (own && element.closest(':disabled, .skip') === null) {
      const [light, dark] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => b - a);
      const sizePx = Number.parseFloat(style.fontSize);
      const large = sizePx >= 24 || (sizePx >= 18.66 && Number(style.fontWeight) >= 700);
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < (large ? 3 : 4.5)) report.faint.push(`${tell(element)} ${ratio.toFixed(2)}`);
    }
    if (element.matches('button, a[href], input, select, summary')) {
      if (nameOf(element).trim() === '') report.nameless.push(tell(element));
      // WCAG 2.5.8 asks for 24 px; a thumb in a shop gets more. Links in running text are apart.
      if (!element.matches('a') && element.getBoundingClientRect().height < 38) report.small.push(tell(element));
    }
    if (element.getBoundingClientRect().right > widthPx + 1 && element.closest('.nav, .skip') === null)
      report.wide.push(tell(element));
    if (style.animationName !== 'none') report.moving.push(tell(element));
  }
  if (document.documentElement.scrollWidth > widthPx) report.wide.push('the page scrolls sideways');
  return report;
})();
