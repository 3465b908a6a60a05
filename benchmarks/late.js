// Notes in `window.late` how many milliseconds each task took that held the page up (W3C Long Tasks: from 50).
window.late = [];
new PerformanceObserver((list) => window.late.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask" });
