// A picture over training: the slider chooses the moment, the button plays them all.
for (const picture of document.querySelectorAll(".picture.moves")) {
  const frames = picture.querySelectorAll(".frame");
  const slider = picture.querySelector("input");
  const moment = picture.querySelector("output");
  const button = picture.querySelector("button");
  let timer = null;

  const show = () => {
    frames.forEach((frame, i) => frame.classList.toggle("shown", i === +slider.value));
    moment.textContent = frames[slider.value].dataset.moment;
    slider.setAttribute("aria-valuetext", moment.textContent);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play the training");
  };
  const next = () => {
    if (slider.value === slider.max) return stop();
    slider.value = +slider.value + 1;
    show();
  };

  slider.addEventListener("input", () => { stop(); show(); });
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) { slider.value = 0; show(); }
    timer = setInterval(next, Math.max(120, 3000 / frames.length));
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
  });
  picture.querySelector(".controls").hidden = false;
  show();
}

for (const button of document.querySelectorAll("button.copy")) {
  const command = button.parentElement.querySelector("code").textContent;
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}
