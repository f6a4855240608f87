"""The empty app that the explorer is measured beside: one slider and one chart whose points can be clicked."""

import streamlit as st

chosen = st.slider("value", 0, 100, 50)
points = [{"trial": i, "x": i, "y": (i * 37 + chosen) % 50} for i in range(40)]
st.vega_lite_chart(
    spec={
        "title": f"value {chosen}",
        "data": {"values": points},
        "params": [{"name": "pick", "select": {"type": "point", "fields": ["trial"]}}],
        "mark": {"type": "point", "size": 100, "filled": True},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    },
    key="chart",
    on_select="rerun",
)
picked = st.session_state["chart"]["selection"]["pick"]
st.html(f'<p class="picked">{picked[0]["trial"] if picked else "nothing"}</p>')
