"""The words for what cannot be drawn, which are left out and told: looks of pictures, looks of things, and what things do."""
from __future__ import annotations

MEDIA = frozenset(
    "painting watercolor watercolour sketch drawing render rendering cartoon "
    "comic art photo photograph picture image icon emoji "
    "sticker logo clipart closeup illustration shot portrait "
    "landscape poster wallpaper artwork photography scene masterpiece doodle "
    "graphic mockup scenery pic up lay life close".split()
)
"""What a picture may be asked to be, which it cannot be: the last word before "of" what it shows."""
STYLE = MEDIA | frozenset(
    "3d 2d oil pencil acrylic ink line pixel vector clip digital "
    "flat concept fine stock still low poly lowpoly isometric anime manga "
    "pixar disney ghibli kawaii chibi retro vintage minimal minimalist minimalistic abstract surreal realism photorealism "
    "photorealistic hyperrealistic realistic cinematic cinematography dramatic dreamy moody mood atmosphere atmospheric epic "
    "aesthetic style styled design studio lighting lit light lights "
    "ambient volumetric soft sharp focus focused blur bokeh depth "
    "wide angle macro telephoto overhead aerial top full body half "
    "view shot perspective lens dslr canon nikon analog film grain "
    "exposure hdr hd uhd fhd 4k 8k resolution res high "
    "low ultra hyper super quality best masterpiece award winning professional "
    "product commercial detail details detailed intricate highly trending artstation deviantart octane unreal engine blender "
    "vray raytraced rendered raytracing v5 v6 golden hour day "
    "sunny rainy foggy misty vibrant vivid colors colours color colour "
    "palette tones warm cold cool pastel monochrome textured smooth clean simple plain elegant composition symmetrical "
    "famous popular amazing incredible stunning".split()
)
"""What is said of pictures: before what they are, before a thing, or in a clause of its own."""
LOOKS = frozenset(
    "colorful colourful cute nice beautiful pretty lovely cartoon realistic friendly adorable amazing charming cool cosy cozy "
    "delicious elegant fancy fluffy fresh funny furry gorgeous juicy majestic "
    "ripe stylish tasty happy sad angry old young fat thin "
    "tall short long wide narrow broken closed open empty full scary "
    "sleepy tired ugly cold warm hot wet dirty clean modern vintage "
    "antique ancient magical spooky identical similar transparent new lonely "
    "lazy quick fast slow rusty dusty shabby smelly creepy "
    "silly crazy brave proud shy wise wild tame strong "
    "weak heavy medium average normal ordinary regular typical standard generic "
    "perfect fine great good bad evil mean kind gentle calm "
    "quiet loud noisy busy famous rich poor expensive cheap luxurious rare "
    "mysterious dreamy cheerful grumpy curious playful jolly merry festive rustic industrial futuristic medieval traditional "
    "vibrant detailed intricate simple plain rectangular spherical cubic "
    "cylindrical circular oval thick slim slender chubby hairy "
    "shaggy baby dark light bright deep pale neon pastel vivid".split()
)
"""What is said of things, beyond the sizes, colours and materials."""
FIGURES = frozenset("circle semicircle ring triangle square".split())
"""What several things may be said to stand in."""
WEATHER = frozenset(
    "rain fog mist wind storm thunderstorm dark darkness air cold heat sunshine sunlight moonlight shade shadow shadows dusk "
    "twilight spring summer autumn winter".split()
)
"""What a thing may be said to be "in" that is neither a thing nor a ground."""
POSTURES = frozenset("standing sitting lying resting parked perched flying floating hovering hanging".split())
"""How a thing holds itself; before where it is they say no more than that."""
_VERBS = (
    "chase eat drink play run walk jump dance swim look watch kiss "
    "hug fight drive climb graze soar read cook throw kick pull push "
    "face talk sing point touch lean cross follow sleep smile laugh "
    "cry stare gaze roll bounce fly hunt bark crawl wave hide wait "
    "cast enjoy love hate see meet visit guard protect attack bite lick sniff greet"
).split()
ACTIONS = frozenset(form for verb in _VERBS for form in (
    f"{verb}{'es' if verb.endswith(('s', 'x', 'ch', 'sh')) else 's'}",
    *(f"{stem}{ending}" for stem in (verb.removesuffix("e"), f"{verb}{verb[-1]}") for ending in ("ing", "ed")),
)) | frozenset("flies cries seeing eaten driven ridden held bitten thrown".split())  # fmt: skip
"""Forms of verbs that say what things do, or what is done to them; others end in -ing."""
PRONOUNS = frozenset("thing something nothing anything everything".split())
DIRECTIONS = sorted((tuple(said.split()) for said in (
    *(f"{to}{side}" for side in ("left", "right") for to in ("", "to the ", "towards the ")), "up", "down", "forward",
    "forwards", "backwards", "away", "ahead", "at us", "at you", "at me", "at the camera", "the camera", "at the viewer",
    "the viewer",
)), key=len, reverse=True)  # fmt: skip
"""Where a thing may be said to look or go."""
