// The initials are behind the logo and appear if it cannot be loaded.
const logo = document.getElementById("logo");
if (logo) {
  const remove = () => logo.remove();
  if (logo.complete && !logo.naturalWidth) remove();
  logo.addEventListener("error", remove);
}
