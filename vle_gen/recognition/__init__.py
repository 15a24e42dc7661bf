"""What things and grounds are: names for what pictures show, by CLIP's glimpses and by what the tokens say of themselves."""
